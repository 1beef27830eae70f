/** Why an image cannot be pulled. */
export type PullTrouble = 'not_found' | 'forbidden' | 'rate_limited' | 'registry_away' | 'other';

/** From special to general: a registry that is away is told of in the most ways. */
const WORDS: readonly (readonly [PullTrouble, RegExp])[] = [
  ['rate_limited', /toomanyrequests|too many requests|\b429\b|pull rate limit/i],
  ['forbidden', /pull access denied|\bdenied:|unauthorized|authentication required|no basic auth|\b40[13] /i],
  ['not_found', /manifest unknown|manifest for \S+ not found|name unknown|:\s*not found|\b404\b/i],
  ['other', /x509|certificate|HTTP response to HTTPS client/i],
  [
    'registry_away',
    /dial tcp|no such host|server misbehaving|name resolution|connection re(?:fused|set)|unreachable|i\/o timeout|TLS handshake|deadline exceeded|Client\.Timeout|request canceled|\bEOF\b|status(?: code)?:? *\S* *5\d\d|\b50[0234] /i,
  ],
];

/** Read from the daemon's words. */
export function readPullTrouble(message: string): PullTrouble {
  return WORDS.find(([, words]) => words.test(message))?.[0] ?? 'other';
}

/** Whether it may go well a few seconds later. */
export function isPassing(trouble: PullTrouble): boolean {
  return trouble === 'registry_away' || trouble === 'rate_limited';
}

/** What is to be said of the image, as the beginning of a sentence. */
export function describePullTrouble(trouble: PullTrouble, image: string): string {
  switch (trouble) {
    case 'not_found':
      return `${image} is not in its registry`;
    case 'forbidden':
      return `${image} does not exist, or this machine may not pull it`;
    case 'rate_limited':
      return `${image} is not on this machine, and its registry limits how often this machine may pull (429)`;
    case 'registry_away':
      return `${image} is not on this machine, and its registry cannot be reached`;
    case 'other':
      return `${image} cannot be had`;
  }
}
