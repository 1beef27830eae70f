import { GithubRefused } from './github-error.ts';

type Fetch = typeof globalThis.fetch;

const MAX_REDIRECTS = 3;
/** The same request again; after the others a browser would send a GET, which is another request. */
const KEEPS_METHOD = new Set([307, 308]);
const REDIRECTS = new Set([301, 302, 303, ...KEEPS_METHOD]);

/**
 * `fetch` that follows redirects on the host of the first address only, so that a token goes nowhere else. GitHub sends
 * whoever asks for a renamed repository to `/repositories/{id}`.
 */
export function sameHostFetch(fetch: Fetch): Fetch {
  return async (input, init) => {
    let url = new URL(input instanceof Request ? input.url : input);
    const { origin } = url;
    for (let redirects = 0; ; redirects += 1) {
      const answer = await fetch(url, { ...init, redirect: 'manual' });
      if (!REDIRECTS.has(answer.status)) return answer;
      await answer.body?.cancel();
      const next = target(answer.headers.get('location'), url);
      const isRead = init?.method === undefined || init.method === 'GET';
      if (next?.origin !== origin || redirects === MAX_REDIRECTS) {
        throw new GithubRefused('moved', 'GitHub redirected to another host, which is not followed.');
      }
      if (!isRead && !KEEPS_METHOD.has(answer.status)) {
        throw new GithubRefused('moved', 'The repository has another name at GitHub now.');
      }
      url = next;
    }
  };
}

function target(location: string | null, base: URL): URL | null {
  return location !== null && URL.canParse(location, base.href) ? new URL(location, base) : null;
}
