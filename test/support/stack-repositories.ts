import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Framework } from '../../internal/apps/framework.ts';
import type { BaseImages } from '../../internal/engine/plan-build.ts';
import type { RepositoryFiles } from './fixture-apps.ts';

/** A repository without a Dockerfile, in `test/stacks`. */
export interface StackRepository {
  /** Its folder. */
  readonly name: string;
  readonly framework: Framework;
  /** In its page, or in a script that the page loads. */
  readonly says: string;
  /** What its generated Dockerfile builds on. */
  readonly on: readonly (keyof BaseImages)[];
  readonly rootDirectory?: string;
  /** The first of its family: its Dockerfile differs from all others' in more than names. It is built in every run. */
  readonly isFirst?: true;
}

const node = ['node'] as const;
const site = ['node', 'static'] as const;
const python = ['python'] as const;
const web = { rootDirectory: 'apps/web', framework: 'fastify', on: node } as const;

export const STACK_REPOSITORIES: readonly StackRepository[] = [
  { name: 'nextjs', framework: 'nextjs', says: 'Next.js answers', on: node, isFirst: true },
  { name: 'vite-react', framework: 'vite', says: 'Vite with React answers', on: site, isFirst: true },
  { name: 'vite-vue', framework: 'vite', says: 'Vite with Vue answers', on: site },
  { name: 'vite-svelte', framework: 'vite', says: 'Vite with Svelte answers', on: site },
  { name: 'vite-plain', framework: 'vite', says: 'Plain Vite answers', on: site },
  { name: 'create-react-app', framework: 'create-react-app', says: 'Create React App answers', on: site },
  { name: 'express', framework: 'express', says: 'Express answers', on: node, isFirst: true },
  { name: 'fastify', framework: 'fastify', says: 'Fastify answers', on: node },
  { name: 'hono', framework: 'hono', says: 'Hono answers', on: node },
  { name: 'nestjs', framework: 'nestjs', says: 'NestJS answers', on: node, isFirst: true },
  { name: 'elysia', framework: 'elysia', says: 'Elysia answers', on: node, isFirst: true },
  { name: 'astro', framework: 'astro', says: 'Astro answers', on: site },
  { name: 'remix', framework: 'remix', says: 'Remix answers', on: node },
  { name: 'react-router', framework: 'react-router', says: 'React Router answers', on: node },
  { name: 'node', framework: 'node', says: 'Plain Node answers', on: node },
  { name: 'static', framework: 'static', says: 'A finished site answers', on: ['static'], isFirst: true },
  { name: 'flask', framework: 'flask', says: 'Flask answers', on: python },
  { name: 'fastapi', framework: 'fastapi', says: 'FastAPI answers', on: python },
  { name: 'django', framework: 'django', says: 'Django answers', on: python, isFirst: true },
  { name: 'go', framework: 'go', says: 'Go answers', on: ['go'], isFirst: true },
  { name: 'npm-workspace', says: 'A npm workspace answers', ...web },
  { name: 'pnpm-workspace', says: 'A pnpm workspace answers', ...web, isFirst: true },
  { name: 'yarn-workspace', says: 'A yarn workspace answers', ...web },
];

const FOLDER = join(import.meta.dirname, '../stacks');

/** What stands in its folder, as the files of a commit. */
export function filesOfStack(name: string): RepositoryFiles {
  const root = join(FOLDER, name);
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(root, path), readFileSync(path, 'utf8')]),
  );
}

/** The folders that are there: each must have its row. */
export function stackFolders(): readonly string[] {
  return readdirSync(FOLDER).sort();
}
