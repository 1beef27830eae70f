const LONGEST = 500;

/** A path on this host, so that a sign-in leads nowhere else: `//evil.example` and `/\evil.example` are other hosts. */
export function isLocalPath(text: string): boolean {
  if (text.length > LONGEST || !/^\/[\x21-\x7e]*$/.test(text)) return false;
  return URL.canParse(text, ANY_HOST) && new URL(text, ANY_HOST).origin === ANY_HOST;
}

const ANY_HOST = 'http://this.host';
