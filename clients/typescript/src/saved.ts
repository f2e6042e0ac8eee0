import { drawKey } from "./keys.js";
import { createMessage } from "./message.js";
import type { Keeper, Shown } from "./store.js";
import type { Transport } from "./types.js";

/** What stands in the session storage of the page under a name. */
interface Saved {
  /** Where the stream is. Absent while the server has not named it. */
  readonly url?: string | undefined;
  /** The id of the last message of `shown`. */
  readonly lastEventId?: string | undefined;
  /** As in a resume point. */
  readonly exact?: boolean | undefined;
  /** Which stream it is: another request is another stream. */
  readonly of: string;
  /** The `Idempotency-Key` of the request that starts the stream: a page that is reloaded before the answer came asks with the same. */
  readonly key: string;
  /** What was shown, up to the resume point. Absent: the resume point is where the stream began. */
  readonly shown?: Shown | undefined;
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
  const key = saved?.key ?? drawKey();

  return {
    key,
    /** Where the stream goes on, if it was kept. */
    resumeFrom: saved?.url === undefined ? undefined : { url: saved.url, lastEventId: saved.lastEventId, exact: saved.exact },

    keeperOf: (transport: Transport): Keeper => ({
      shown: saved?.shown && { ...saved.shown, messages: saved.shown.messages.map(({ data, id, type, followsGap }) => Object.assign(createMessage(data, id, type), { followsGap })) },
      keep(shown) {
        const save = () => write(transport, shown());
        let isNamed = !!saved?.url || write(transport);
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
  function write({ resumePoint }: Pick<Transport, "resumePoint">, shown?: Shown): boolean {
    const whole = shown?.messages.every(({ binary }) => !binary) ? wholeOf(shown) : undefined;
    const record: Saved = { of, key, url: resumePoint?.url, lastEventId: whole ? resumePoint?.lastEventId : start, exact: whole && resumePoint?.exact, shown: whole };
    try {
      sessionStorage.setItem(name, JSON.stringify(record));
    } catch {
      if (shown) write({ resumePoint });       // does not fit
    }
    return !!resumePoint;
  }
}

/** An error is not kept: a page that is reloaded tries again. */
const wholeOf = ({ messages, messagesDropped, text, end }: Shown): Shown => ({ messages, messagesDropped, text, end: end?.error ? undefined : end });
