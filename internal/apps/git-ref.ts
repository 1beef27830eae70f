/**
 * Letters (of any script) and digits, and the few signs branch names carry in practice. Narrower than
 * git-check-ref-format(1) on purpose: no space, quote, `$ & ; | < > ( ) ~ ^ : ? * [ \`, no control, no bidi mark.
 */
const BRANCH_CHARACTERS = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._/+#@=,-]*$/u;
export const MAX_BRANCH_NAME = 200;
const COMMIT_SHA = /^[0-9a-f]{40}$/i;

/** May this text name a branch? At most 200 characters; it never begins with a dash, so it never reads as an option. */
export function isBranchName(text: string): boolean {
  if (text.length === 0 || text.length > MAX_BRANCH_NAME) return false;
  if (!BRANCH_CHARACTERS.test(text)) return false;
  if (text.includes('..') || text.includes('@{') || text.endsWith('.')) return false;
  return text.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

/** A full SHA-1 commit id, 40 hex digits of either case. Short ids are refused: they may come to mean another commit. */
export function isCommitSha(text: string): boolean {
  return COMMIT_SHA.test(text);
}
