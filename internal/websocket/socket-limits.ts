import { STREAM_LIMITS, type StreamLimits } from '../logs/log-stream.ts';

/** What one socket may take. */
export interface SocketLimits extends StreamLimits {
  /** Of one message of a client. */
  readonly messageBytes: number;
  /** Messages of a client that wait for their turn. */
  readonly waitingMessages: number;
  readonly subscriptions: number;
  /** Of answers that the client has not taken yet. Events do not count: the next ones wait until these are gone. */
  readonly unreadBytes: number;
}

export const SOCKET_LIMITS: SocketLimits = {
  ...STREAM_LIMITS,
  messageBytes: 8 * 1024,
  waitingMessages: 64,
  subscriptions: 20,
  unreadBytes: 1024 * 1024,
};
