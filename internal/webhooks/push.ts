import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const paths = z.array(z.string()).default([]);

/** The part of GitHub's `push` event that is used here; the rest of it is left alone. */
const pushSchema = z.object({
  ref: z.string(),
  before: sha,
  after: sha,
  created: z.boolean().default(false),
  deleted: z.boolean().default(false),
  forced: z.boolean().default(false),
  repository: z.object({ full_name: z.string(), default_branch: z.string() }),
  head_commit: z.object({ message: z.string() }).nullish(),
  commits: z.array(z.object({ id: sha, added: paths, removed: paths, modified: paths })).default([]),
  installation: z.object({ id: z.int() }).nullish(),
});

export type Push = Readonly<z.output<typeof pushSchema>>;

/** @throws AppError invalid_input, naming the fields, when GitHub sends something else */
export function parsePush(payload: unknown): Push {
  const parsed = pushSchema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.slice(0, 20).map(({ path, message }) => ({
    field: `/${path.join('/')}`,
    message,
  }));
  throw new AppError('invalid_input', 'The payload is not a push event of GitHub.', { fields });
}
