import { z } from 'zod';

/** Every kind of repository that can be built without a Dockerfile. */
export const FRAMEWORKS = [
  'nextjs',
  'remix',
  'react-router',
  'nuxt',
  'sveltekit',
  'nestjs',
  'astro',
  'elysia',
  'hono',
  'fastify',
  'express',
  'create-react-app',
  'vite',
  'node',
  'django',
  'fastapi',
  'flask',
  'python',
  'go',
  'static',
] as const;
export type Framework = (typeof FRAMEWORKS)[number];

/** What `framework` of an app may be set to: `auto` looks at the repository. */
export const frameworkChoice = z.enum(['auto', ...FRAMEWORKS]);
export type FrameworkChoice = z.infer<typeof frameworkChoice>;
