import { z } from 'zod';
import { EnvScope } from '../db/generated/enums.ts';
import { appIdParams } from '../openapi/schemas.ts';
import { type GivenVariable, KEY, problemOfKey, problemOfValue } from './env-var.ts';

/** A text that has nothing the rule finds wrong. */
const textWithout = (problemOf: (text: string) => string | null) =>
  z.string().superRefine((text, context) => {
    const message = problemOf(text);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

export const key = textWithout(problemOfKey).meta({ pattern: KEY.source });
const value = textWithout(problemOfValue).meta({
  description: 'Any text of at most 32 KB, without NUL. It arrives as it is: nothing in it is interpolated.',
});
const scope = z
  .enum(EnvScope)
  .optional()
  .meta({
    description:
      '`runtime`: for the containers of the app. `build`: for its builds, as an argument where the Dockerfile ' +
      'declares it (`ARG`); it stands in the history of the image, so it is public to everyone who has the image. ' +
      '`both`: both. Left out, a variable keeps its scope, and a new one is `runtime`.',
  });

const variable = z.strictObject({ key, value, scope });

export const newVariableSchema = variable.meta({
  id: 'NewEnvVar',
  examples: [
    { key: 'DATABASE_URL', value: 'postgres://shop:p$ss@db/shop' },
    { key: 'VITE_API_URL', value: 'https://api.example.org', scope: 'build' },
  ],
});

export const variableChangeSchema = z
  .strictObject({ value: value.optional(), scope })
  .refine((change) => change.value !== undefined || change.scope !== undefined, 'must change value or scope')
  .meta({ id: 'EnvVarChange', examples: [{ value: 'debug' }, { scope: 'both' }] });

export const environmentSchema = z
  .strictObject({
    variables: z.union([z.array(variable), z.record(key, value)]).meta({
      description:
        'A list of `key`, `value` and `scope`, or an object of key and value. At most 200, 100 KB in all.',
    }),
  })
  .meta({
    id: 'NewEnvironment',
    examples: [
      { variables: { LOG_LEVEL: 'info', GREETING: 'Hello,\nworld' } },
      { variables: [{ key: 'NPM_TOKEN', value: 'npm_x', scope: 'build' }] },
    ],
  });

/** Both forms as one. */
export function variablesOf({ variables }: z.output<typeof environmentSchema>): readonly GivenVariable[] {
  if (Array.isArray(variables)) return variables;
  return Object.entries(variables).map(([name, text]) => ({ key: name, value: text }));
}

export const mergeQuery = z.strictObject({
  merge: z
    .enum(['true', 'false'], 'must be true or false')
    .optional()
    .meta({ default: 'false', description: '`true`: variables that are not named stay as they are.' }),
});

export const importSchema = z
  .strictObject({
    text: z.string().meta({ description: 'The content of a `.env` file.' }),
    scope,
  })
  .meta({ id: 'EnvironmentImport', examples: [{ text: "LOG_LEVEL=info\nGREETING='Hello, $world'\n" }] });

export const variableParams = appIdParams.extend({
  key: z
    .string()
    .regex(KEY)
    .meta({ param: { example: 'LOG_LEVEL' }, description: 'The key of the variable, or its id.' }),
});
