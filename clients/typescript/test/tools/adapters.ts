import { useSSE, useStreamText, useTransport } from "@perennial/client/react";
import { streamTextStore, transportStore } from "@perennial/client/svelte";
import * as vue from "@perennial/client/vue";

export const used = [useStreamText, vue.useStreamText, transportStore, streamTextStore];

/** A source that is there has a transport; one that may be missing may have none. */
export const kinds = (url?: string): (string | undefined)[] => [
  useSSE({ url: "/x" }).transport.kind,
  useTransport(url === undefined ? undefined : { url }).transport?.kind,
  vue.useTransport(() => ({ url: "/x" })).value.transport.kind,
  vue.useTransport(() => (url === undefined ? undefined : { url })).value.transport?.kind,
];
