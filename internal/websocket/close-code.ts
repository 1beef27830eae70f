/**
 * Why we close a socket. 4xxx carry the HTTP status of the same meaning; the reason is for people, at most 123 bytes.
 * After 1012, 1013 and 4408 a client comes back and subscribes again with the last id it has.
 */
export const CLOSE = {
  stopping: { code: 1012, reason: 'The API restarts. Come back and subscribe with the last id you have.' },
  broken: { code: 1013, reason: 'It broke off here. Come back and subscribe with the last id you have.' },
  unauthorized: { code: 4401, reason: 'The token or session has ended.' },
  notFound: { code: 4404, reason: 'What you were subscribed to is gone.' },
  tooSlow: { code: 4408, reason: 'Too slow. Come back and subscribe with the last id you have.' },
  tooMany: { code: 4429, reason: 'Too many messages at once.' },
  notText: { code: 1003, reason: 'Send JSON as text.' },
} as const;

export type CloseReason = (typeof CLOSE)[keyof typeof CLOSE];
