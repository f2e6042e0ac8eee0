import { EventSource } from 'eventsource';

/** The data of all events without a name, one a line, until the server has said that there is no more. */
export function eventSource({ base, progress }) {
  const source = new EventSource(base);
  const data = [];
  source.addEventListener('message', (event) => {
    data.push(event.data);
    progress();
  });
  return new Promise((resolve) => {
    source.addEventListener('error', () => {
      if (source.readyState === source.CLOSED) {
        resolve({ text: data.join('\n'), calls: [] });
      }
    });
  });
}
