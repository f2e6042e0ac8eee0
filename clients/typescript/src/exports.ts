export type { CreateTransport } from "./client.js";
export type { Connection, OpenContext, Protocol, ProtocolContext } from "./connection.js";
export { type Blocker, type ErrorCode, type ErrorDetails, TransportError } from "./errors.js";
export type * from "./types.js";
