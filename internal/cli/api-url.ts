/** The address of an installation without a slash at its end, whether or not `/api/v1` was given; null for no such thing. */
export function parseApiUrl(text: string): string | null {
  const url = parseUrl(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  if (url.username || url.password || url.search || url.hash) return null;
  const path = url.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '');
  return `${url.origin}${path}`;
}

/** Would a token travel there in clear text, over more than this machine? */
export function isExposed(apiUrl: string): boolean {
  const { protocol, hostname } = new URL(apiUrl);
  if (protocol === 'https:') return false;
  return !/^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(/^https?:\/\//i.test(text) ? text : '');
  } catch {
    return null;
  }
}
