/** The number of the page that follows, by GitHub's Link header; null on the last. */
export function nextPage(link: string | undefined): number | null {
  for (const part of (link ?? '').split(',')) {
    const [, address = '', relation] = /<([^>]+)>\s*;\s*rel="([^"]+)"/.exec(part) ?? [];
    if (relation !== 'next' || !URL.canParse(address)) continue;
    const page = Number(new URL(address).searchParams.get('page'));
    return Number.isInteger(page) && page > 0 ? page : null;
  }
  return null;
}
