import type { Framework, FrameworkChoice } from '../../apps/framework.ts';
import type { Manifest } from './node-manifest.ts';
import type { Command } from './stack.ts';

/** What a preset may look at beside the manifest. */
export interface NodeFiles {
  readonly paths: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
}
interface ServedFiles extends NodeFiles {
  readonly isBun: boolean;
}

/** One framework on Node: how it is recognised, and what is run when the repository does not say. */
export interface NodePreset {
  readonly framework: Framework;
  /** The first dependency that is there decides. Empty: by `matches` alone. */
  readonly dependencies: readonly string[];
  readonly matches?: (manifest: Manifest, files: NodeFiles) => boolean;
  /** When there is no script `build`; null: nothing is built. */
  readonly build: Command | null;
  /** What serves it: a process of its own, or the static server on this folder. */
  readonly serves: (
    manifest: Manifest,
    files: ServedFiles,
  ) => { readonly start: Command | null } | { readonly folder: string };
  /** Environment of the running app, for those that would listen on loopback otherwise. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A folder that the build leaves, of use to another build only. */
  readonly buildCache?: string;
  /** Scripts that start it in production, best first, before the script `start`. */
  readonly startScripts?: readonly string[];
}

const EVERYWHERE = { HOST: '0.0.0.0' };
const server = (start: Command | null) => () => ({ start });
const site = (folder: string) => () => ({ folder });

/** From special to general; the first that fits is it. */
export const NODE_PRESETS: readonly NodePreset[] = [
  {
    framework: 'nextjs',
    dependencies: ['next'],
    build: ['next', 'build'],
    serves: (_, { texts }) =>
      CONFIGS.next.some((name) => /^\s*output:\s*["']export["']/m.test(texts[name] ?? ''))
        ? { folder: 'out' }
        : { start: ['next', 'start'] },
    environment: { NEXT_TELEMETRY_DISABLED: '1' },
    buildCache: '.next/cache',
  },
  {
    framework: 'remix',
    dependencies: ['@remix-run/serve', '@remix-run/node', '@remix-run/react'],
    build: ['remix', 'vite:build'],
    serves: server(['remix-serve', './build/server/index.js']),
  },
  {
    framework: 'react-router',
    dependencies: ['@react-router/serve', '@react-router/dev'],
    build: ['react-router', 'build'],
    serves: (_, { texts }) =>
      CONFIGS.reactRouter.some((name) => /\bssr:\s*false\b/.test(texts[name] ?? ''))
        ? { folder: 'build/client' }
        : { start: ['react-router-serve', './build/server/index.js'] },
  },
  {
    framework: 'nuxt',
    dependencies: ['nuxt'],
    build: ['nuxt', 'build'],
    serves: server(['node', '.output/server/index.mjs']),
    environment: EVERYWHERE,
  },
  {
    framework: 'sveltekit',
    dependencies: ['@sveltejs/kit'],
    build: ['vite', 'build'],
    serves: ({ dependencies }) =>
      dependencies.has('@sveltejs/adapter-static') ? { folder: 'build' } : { start: ['node', 'build'] },
    environment: EVERYWHERE,
  },
  {
    framework: 'nestjs',
    dependencies: ['@nestjs/core'],
    build: ['nest', 'build'],
    serves: server(['node', 'dist/main']),
    startScripts: ['start:prod'],
  },
  {
    framework: 'astro',
    dependencies: ['astro'],
    build: ['astro', 'build'],
    serves: ({ dependencies }) =>
      dependencies.has('@astrojs/node') ? { start: ['node', './dist/server/entry.mjs'] } : { folder: 'dist' },
    environment: EVERYWHERE,
  },
  { framework: 'elysia', dependencies: ['elysia'], build: null, serves: entryFile },
  { framework: 'hono', dependencies: ['hono'], build: null, serves: entryFile },
  { framework: 'fastify', dependencies: ['fastify'], build: null, serves: entryFile },
  { framework: 'express', dependencies: ['express'], build: null, serves: entryFile },
  {
    framework: 'create-react-app',
    dependencies: ['react-scripts'],
    build: ['react-scripts', 'build'],
    serves: site('build'),
  },
  // An app with a server of its own and Vite for its pages starts that server.
  {
    framework: 'vite',
    dependencies: ['vite'],
    matches: ({ scripts }) => scripts['start'] === undefined || /\bvite\b/.test(scripts['start']),
    build: ['vite', 'build'],
    serves: site('dist'),
  },
  { framework: 'node', dependencies: [], build: null, serves: entryFile },
];

const CONFIGS = {
  next: ['next.config.js', 'next.config.mjs', 'next.config.ts'],
  reactRouter: ['react-router.config.ts', 'react-router.config.js'],
};
/** Their texts are read from the repository for the presets. */
export const CONFIG_FILES: readonly string[] = [...CONFIGS.next, ...CONFIGS.reactRouter];

/** Tried in this order when there is neither a script `start` nor a `main` that is there. */
const ENTRIES = ['server', 'index', 'app', 'main', 'src/server', 'src/index', 'src/app', 'src/main'];

/** Node runs JavaScript; Bun TypeScript too. */
function entryFile({ main }: Manifest, { paths, isBun }: ServedFiles): { start: Command | null } {
  const endings = isBun ? ['.ts', '.tsx', '.js', '.mjs'] : ['.js', '.mjs', '.cjs'];
  const candidates = [
    ...(main === null ? [] : [main.replace(/^\.\//, '')]),
    ...ENTRIES.flatMap((entry) => endings.map((ending) => `${entry}${ending}`)),
  ];
  const found = candidates.find((path) => paths.includes(path) && /^[\w./@-]+$/.test(path));
  return { start: found === undefined ? null : [isBun ? 'bun' : 'node', found] };
}

/** Starts a development server, which is slow, and is gone where development dependencies are. */
const DEVELOPMENT =
  /^(?:next dev|nuxt dev|astro dev|astro preview|remix dev|remix vite:dev|react-router dev|nest start|vite(?: dev| preview| serve)?)(?: |$)/;

/** Whether a script is no way to start the app where it has another one. */
export function startsDevelopment(script: string): boolean {
  return DEVELOPMENT.test(script.trim());
}

/** The preset that was asked for, else the first that fits. */
export function choosePreset(
  manifest: Manifest,
  files: NodeFiles,
  wanted: FrameworkChoice,
): NodePreset | null {
  if (wanted !== 'auto') return NODE_PRESETS.find(({ framework }) => framework === wanted) ?? null;
  return (
    NODE_PRESETS.find(
      ({ dependencies, matches }) =>
        (dependencies.length === 0 || dependencies.some((name) => manifest.dependencies.has(name))) &&
        (matches?.(manifest, files) ?? true),
    ) ?? null
  );
}
