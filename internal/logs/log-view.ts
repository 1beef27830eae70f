import { z } from 'zod';
import { time } from '../openapi/schemas.ts';
import type { LogLine } from './log-reads.ts';

export const LOG_LEVELS = ['info', 'warning', 'error', 'success', 'deploy'] as const;

export const lineSchema = z
  .object({
    seq: z.int(),
    at: time,
    source: z.enum(['build', 'deploy', 'runtime', 'status']),
    stream: z.enum(['stdout', 'stderr']).nullable(),
    level: z.enum(LOG_LEVELS),
    text: z.string(),
    deployment_id: z.string().nullable().meta({ description: 'In the log of an app: the release it is of.' }),
    replica: z
      .int()
      .nullable()
      .meta({ description: 'In the log of an app: which of its containers wrote it.' }),
  })
  .meta({
    id: 'LogLine',
    description: 'One line. `seq` has no gaps; a `status` line is a status change, its text is JSON.',
  });

export function viewLine(line: LogLine): z.input<typeof lineSchema> {
  const { stream } = line;
  return {
    seq: Number(line.seq),
    at: line.at.toISOString(),
    source: line.source,
    stream: stream === 'stdout' || stream === 'stderr' ? stream : null,
    level: line.level,
    text: line.text,
    deployment_id: line.deploymentId,
    replica: line.replica,
  };
}
