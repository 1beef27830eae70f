/** A page of the platform itself, in words. */
export interface FallbackPage {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

export function textOf(page: FallbackPage): string {
  return `Berth: ${page.status} ${page.title}\n${page.text}\n`;
}

/** Self-contained: no script, no font, no request to anywhere. */
export function htmlOf(page: FallbackPage): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(page.title)}</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1.5rem; }
  p:first-child { opacity: .6; margin: 0; }
  h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
</style>
<body>
<p>Berth: ${page.status}</p>
<h1>${escapeHtml(page.title)}</h1>
<p>${escapeHtml(page.text)}</p>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
