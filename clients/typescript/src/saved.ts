import { createMessage } from "./message.js";
import type { Keeper, Shown } from "./store.js";
import type { ResumePoint, Transport } from "./types.js";

/** What stands in the session storage of the page under a name. */
interface Saved extends ResumePoint {
  /** Which stream it is: another request is another stream. */
  readonly of: string;
  /** What was shown, up to the resume point. Absent: the resume point is where the stream began. */
  readonly shown?: Shown;
}

/** A page that is left fires the first; one that is put away, and perhaps never shown again, only the second. */
const LEAVING = ["pagehide", "visibilitychange"];

/**
 * Keeps a stream under a name in the session storage of the page: where it is, as soon as that is known, and what is shown, when the page
 * is left. What does not fit there is read again from where the stream began.
 *
 * @param of Names the request that starts the stream.
 * @param start The id after which the stream began.
 */
export function openSaved(name: string, of: string, start: string | undefined) {
  const saved = read();

  return {
    /** Where the stream goes on, if it was kept. */
    resumeFrom: saved && { url: saved.url, lastEventId: saved.lastEventId },

    keeperOf: (transport: Transport): Keeper => ({
      shown: saved?.shown && { ...saved.shown, messages: saved.shown.messages.map(({ data, id, type, followsGap }) => Object.assign(createMessage(data, id, type), { followsGap })) },
      keep(shown) {
        const save = () => write(transport, shown());
        let isNamed = !!saved;
        const ends = [transport.subscribe(() => (isNamed ||= write(transport)))];
        for (const event of LEAVING) {
          globalThis.addEventListener?.(event, save);
          ends.push(() => globalThis.removeEventListener?.(event, save));
        }
        return () => [...ends, save].forEach((end) => end());
      },
    }),
  };

  function read(): Saved | undefined {
    try {
      const found = JSON.parse(sessionStorage.getItem(name)!) as Saved | null;
      if (found?.of == of) return found;
    } catch {
      // No storage, or what stands there is not ours.
    }
    return undefined;
  }

  /** Whether the stream has a name by which it can be found again. */
  function write({ resumePoint }: Transport, shown?: Shown): boolean {
    if (!resumePoint) return false;
    const { messages, messagesDropped, text, end } = shown ?? {};
    const whole = messages?.every(({ binary }) => !binary) && { messages, messagesDropped, text, end: end?.error ? undefined : end };
    try {
      sessionStorage.setItem(name, JSON.stringify({ of, url: resumePoint.url, lastEventId: whole ? resumePoint.lastEventId : start, shown: whole || undefined }));
    } catch {
      if (shown) write({ resumePoint } as Transport);       // does not fit
    }
    return true;
  }
}
