/**
 * The image with the version the repository asks for, where it is named like an official one: `node:20-slim` becomes
 * `node:22-slim`. An image the operator has chosen otherwise is used as it is.
 * @param official its name at Docker Hub: `node`, `python`, `golang`
 */
export function imageOfVersion(image: string, official: string, version: string | null): string {
  if (version === null) return image;
  const [, before = '', rest = ''] =
    new RegExp(`^((?:docker\\.io/)?(?:library/)?${official}:)\\d+(?:\\.\\d+)*(-[\\w.-]+)?$`).exec(image) ??
    [];
  return before === '' ? image : `${before}${version}${rest}`;
}

/**
 * The major version of Node that was asked for, by `.nvmrc`, `.node-version` or `engines.node`; null when it is no single
 * one. Of a range it is the lowest that is still maintained and fits.
 */
export function nodeVersionOf(wanted: {
  readonly versionFile: string | null;
  readonly engines: string | null;
}): string | null {
  const exact = /^\s*v?(\d{1,2})(?:\.\d+){0,2}\s*$/.exec(wanted.versionFile ?? '')?.[1];
  if (exact !== undefined) return exact;
  const codename = /^\s*lts\/(\w+)\s*$/.exec(wanted.versionFile ?? '')?.[1]?.toLowerCase();
  if (codename !== undefined && codename in LONG_TERM) return LONG_TERM[codename] ?? null;
  const range = wanted.engines ?? '';
  if (range.length > 200) return null;
  return MAINTAINED_NODE.find((major) => allows(range, major))?.toString() ?? null;
}

/** As nvm knows them. */
const LONG_TERM: Readonly<Record<string, string>> = {
  gallium: '16',
  hydrogen: '18',
  iron: '20',
  jod: '22',
  krypton: '24',
};

/** In order of preference. */
const MAINTAINED_NODE = [20, 22, 24, 18, 16];

/** Enough of the grammar of ranges (node-semver) for majors: `>=18`, `^20.9`, `20.x`, `18 || 20`, `>=18 <21`. */
function allows(range: string, major: number): boolean {
  return range.split('||').some((part) => {
    const bounds = part
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '');
    return bounds.length > 0 && bounds.every((bound) => boundAllows(bound, major));
  });
}

function boundAllows(bound: string, major: number): boolean {
  const [, operator = '', number = ''] =
    /^(>=|<=|>|<|\^|~|=)?v?(\d{1,3})(?:\.[\dx*]+){0,2}$/.exec(bound) ?? [];
  if (number === '') return false;
  const named = Number(number);
  switch (operator) {
    case '>=':
    case '>':
      return major >= named;
    case '<':
      return major < named;
    case '<=':
      return major <= named;
    default:
      return major === named;
  }
}

/** `3.12` of `.python-version`, `runtime.txt` (`python-3.12.1`) or `requires-python = ">=3.11"`. */
export function pythonVersionOf(texts: Readonly<Record<string, string>>): string | null {
  const sources = [
    /^\s*(3\.\d{1,2})(?:\.\d+)?\s*$/m.exec(texts['.python-version'] ?? ''),
    /^\s*python-(3\.\d{1,2})/m.exec(texts['runtime.txt'] ?? ''),
    /^\s*requires-python\s*=\s*["'](?:>=|==|~=)\s*(3\.\d{1,2})/m.exec(texts['pyproject.toml'] ?? ''),
  ];
  return sources.find((match) => match !== null)?.[1] ?? null;
}

/** `1.24` of the line `go 1.24.1` in go.mod. */
export function goVersionOf(goMod: string): string | null {
  return /^go (1\.\d{1,2})/m.exec(goMod)?.[1] ?? null;
}
