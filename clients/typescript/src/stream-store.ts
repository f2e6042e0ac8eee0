import { openSaved } from "./saved.js";
import { createStore, type StoreOptions, type StreamOptions, type StreamSource, type StreamStore } from "./store.js";
import type { StreamMessage, Transport, TransportOptions } from "./types.js";

/** A store, and whether newer options are for the same stream: then it uses them from now on. */
export interface SourceStore extends StreamStore<Transport | undefined> {
  renew(source: StreamSource<TransportOptions>): boolean;
}

/** Stands for the page on a server, where a view is rendered but never connected. */
const NO_PAGE = "http://a-relative-url-needs-a-page.invalid";

/** What tells streams apart: equal where they are the same. */
export const identityOf = (source: StreamSource<TransportOptions>): unknown =>
  !source || isTransport(source) ? source : JSON.stringify([source.url, source.key, source.saveAs]);

/** The text of messages that are nothing but text. */
export const dataOf = ({ data }: StreamMessage): string => data;

/** Makes the store of a view. `text`: as in {@link StoreOptions}, where the options name none. */
export function openStore<Options extends TransportOptions>(create: (options: Options) => Transport, source: StreamSource<Options>, text?: StoreOptions["text"]): SourceStore {
  const identity = identityOf(source);
  if (!source || isTransport(source)) return { ...createStore(source, { closes: false, text }), renew: (next) => identityOf(next) === identity };

  const { keep, text: ownText = text, closes, key, saveAs, ...options } = source as TransportOptions & StreamOptions;
  const { url, body, configureRequest, resumeFrom, lastEventId } = options;
  let newest: TransportOptions = options;
  const page = globalThis.document?.baseURI ?? globalThis.location?.href;
  const start = resumeFrom ?? { lastEventId };
  const saved = saveAs === undefined ? undefined : openSaved(saveAs, JSON.stringify([url, key, body]), start.lastEventId);
  const transport = create({
    ...options,
    url: new URL(url, page ?? NO_PAGE),
    resumeFrom: page === undefined ? undefined : (saved?.resumeFrom ?? resumeFrom),
    headers: () => ({ ...(saved && body !== undefined && { "idempotency-key": `"${saved.key}"` }), ...(typeof newest.headers == "function" ? newest.headers() : newest.headers) }),
    configureRequest: configureRequest && ((...request) => newest.configureRequest?.(...request)),
  } as TransportOptions as Options);
  return {
    ...createStore<Transport | undefined>(transport, { keep, closes, text: ownText }, saved?.keeperOf(transport)),
    renew(next) {
      const isSame = identityOf(next) === identity;
      if (isSame) newest = next as TransportOptions;
      return isSame;
    },
  };
}

const isTransport = (source: object): source is Transport => "getSnapshot" in source;
