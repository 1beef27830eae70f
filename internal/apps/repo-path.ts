/** C0, C1 and the marks that turn the reading direction: none of them belongs into a path that is shown to people. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}]/u;

export const MAX_REPO_PATH = 255;

/**
 * May this text name a file or folder inside a repository? A relative POSIX path of at most 255 characters that never
 * climbs. `./app`, `app/` and `.` are accepted. Links are another matter: whoever opens the path must look (lstat).
 */
export function isRepoPath(text: string): boolean {
  if (text.length === 0 || text.length > MAX_REPO_PATH) return false;
  if (text.startsWith('/') || text.includes('\\') || UNPRINTABLE.test(text)) return false;
  return text.split('/').every((part) => part !== '..');
}
