/** What the supervisor tells whoever started it, over Node's channel between parent and child. */
export type Report =
  | { readonly kind: 'step'; readonly name: string; readonly detail: string; readonly milliseconds: number }
  | { readonly kind: 'event'; readonly text: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string; readonly details: readonly string[] };

/** What it is told: stay when the channel closes. Without it, it ends everything when its starter is gone. */
export const DETACH = 'detach';

export type Reporter = (report: Report) => void;
