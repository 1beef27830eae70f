import { DeploymentFailed } from '../errors/deployment-failed.ts';
import { mountOptions, mountTarget, type ParsedInstruction } from './dockerfile-flags.ts';

/**
 * The text with every cache mount named after the app. BuildKit keeps one store for all builds of a daemon: by the same
 * id, which is the target path when none is given, one app reads what another wrote.
 * @throws DeploymentFailed dockerfile_invalid for a cache mount whose name cannot be put in safely
 */
export function nameCaches(text: string, instructions: readonly ParsedInstruction[], appId: string): string {
  const caches = instructions
    .filter(({ keyword }) => keyword === 'RUN')
    .flatMap(({ flags }) => flags)
    .filter(({ name, value }) => name === 'mount' && isCache(value))
    .map(({ raw }) => raw);
  if (caches.length === 0) return text;

  const words = new Set(text.split(/\s+/));
  for (const raw of caches) {
    // Quotes, or a line end inside the word: the text does not hold the flag as it was read.
    if (/["']/.test(raw) || !words.has(raw)) {
      throw new DeploymentFailed(
        'dockerfile_invalid',
        `Write this cache mount in one word without quotes: ${raw.slice(0, 100)}`,
      );
    }
  }
  const wanted = new Set(caches);
  return text.replace(/\S+/g, (word) => (wanted.has(word) ? named(word, appId) : word));
}

function isCache(value: string): boolean {
  const type = mountOptions(value).get('type') ?? 'bind';
  return type === 'cache' || type.includes('$');
}

function named(flag: string, appId: string): string {
  const options = flag.slice('--mount='.length).split(',');
  const values = mountOptions(options.join(','));
  const id = values.get('id') ?? mountTarget(values);
  const others = options.filter((option) => !/^id=/i.test(option));
  return `--mount=${[...others, `id=${appId}-${id}`].join(',')}`;
}
