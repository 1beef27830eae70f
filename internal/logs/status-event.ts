import { z } from 'zod';

/** What a `status` line says: a deployment's state as it changed, in its place among the text. */
export const statusEventSchema = z.object({
  status: z.string(),
  step: z.string().nullable(),
  failure_code: z.string().optional(),
  failure_reason: z.string().nullish(),
});
export type StatusEvent = z.infer<typeof statusEventSchema>;

/** Null for a text that is none; nobody but us writes these lines. */
export function readStatusEvent(text: string): StatusEvent | null {
  try {
    return statusEventSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const TERMINAL = new Set(['failed', 'cancelled', 'superseded', 'retired', 'stopped', 'crashed']);

/** Nothing more comes of the deployment: it ended, or it is live and the previous release has been drained. */
export function endsStream(event: StatusEvent): boolean {
  return TERMINAL.has(event.status) || (event.status === 'live' && event.step === null);
}
