import { webhookExamples } from './fake-github/shapes.ts';

type Payload = Record<string, unknown>;

/** The example payloads that GitHub has published of an event; fails when there are none. */
export function examplesOf(event: string): readonly Payload[] {
  const found = webhookExamples(event) as readonly Payload[];
  if (found.length === 0) throw new Error(`there is no example of the event ${event}`);
  return found;
}

export interface PushOptions {
  /** `owner/name`. */
  readonly repository?: string;
  readonly branch?: string;
  readonly before?: string;
  readonly after?: string;
  readonly message?: string;
  readonly changed?: readonly string[];
  readonly more?: Payload;
}

/** The example of a push to `master`, with what matters to a test in its place. */
export function pushPayload(options: PushOptions = {}): Payload {
  const example = examplesOf('push').find(({ ref, deleted }) => ref === 'refs/heads/master' && !deleted);
  if (!example) throw new Error('there is no example of a push to a branch');
  const after = options.after ?? 'a'.repeat(40);
  const [template] = example['commits'] as Payload[];
  const commit = {
    ...template,
    id: after,
    message: options.message ?? 'Change the page',
    added: [],
    removed: [],
    modified: options.changed ?? ['src/index.html'],
  };
  const repository = example['repository'] as Payload;
  return {
    ...example,
    ref: `refs/heads/${options.branch ?? 'main'}`,
    before: options.before ?? 'b'.repeat(40),
    after,
    created: false,
    head_commit: commit,
    commits: [commit],
    repository: {
      ...repository,
      full_name: options.repository ?? 'acme/shop',
      default_branch: 'main',
      master_branch: 'main',
    },
    ...options.more,
  };
}
