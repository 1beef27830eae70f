import type { Request } from 'express';
import { type core, type ZodType, z } from 'zod';
import { AppError, type FieldProblem } from '../errors/app-error.ts';
import { plainIssues } from './plain-issues.ts';

interface InputSchemas {
  readonly params?: ZodType | undefined;
  readonly query?: ZodType | undefined;
  readonly body?: ZodType | undefined;
  readonly aliases?: Readonly<Record<string, string>>;
}

const NO_QUERY = z.strictObject({});
/** An answer names so many problems at most, however many a request has. */
const MAX_PROBLEMS = 20;
const MAX_FIELD_LENGTH = 100;

/**
 * Path, query and body by their schemas, or one error that names every field that is wrong.
 * @throws AppError not_found for an id that cannot be one (as if it were missing), invalid_input for the rest
 */
export function readInput(
  schemas: InputSchemas,
  request: Pick<Request, 'params' | 'query' | 'body'>,
): { params: unknown; query: unknown; body: unknown } {
  const params = schemas.params?.safeParse(request.params);
  if (params && !params.success) throw new AppError('not_found', 'There is nothing under this address.');

  // The simple query parser gives `a[]` as a key of that name and repeated keys as an array: both fail here.
  const query = parse(schemas.query ?? NO_QUERY, { ...request.query });
  const body = schemas.body
    ? parse(schemas.body, renameAliases(request.body ?? {}, schemas.aliases ?? {}))
    : null;

  const problems = [
    ...problemsIn(query, (path) => path.join('.')),
    ...(body ? problemsIn(body, jsonPointer) : []),
  ].slice(0, MAX_PROBLEMS);
  if (problems.length > 0) {
    throw new AppError('invalid_input', sentenceFor(problems), { fields: problems });
  }
  return { params: params?.data ?? {}, query: query.data, body: body?.data ?? {} };
}

function parse(schema: ZodType, value: unknown) {
  return schema.safeParse(value, { error: inOurWords });
}

/** Fields known by another spelling get their one name; said twice, the second one stays and is refused as unknown. */
function renameAliases(body: unknown, aliases: Readonly<Record<string, string>>): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const said = new Set(Object.keys(body));
  const renamed = Object.entries(body).map(([name, value]): [string, unknown] => {
    const field = Object.hasOwn(aliases, name) ? aliases[name] : undefined;
    if (field === undefined || said.has(field)) return [name, value];
    said.add(field);
    return [field, value];
  });
  // fromEntries defines own properties, so `__proto__` stays a plain key that the strict schema refuses (T58).
  return Object.fromEntries(renamed);
}

const NOUNS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/** Texts for what the schemas leave to zod; a schema's own message goes before. */
function inOurWords(issue: core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    return issue.input === undefined ? 'is required' : `must be ${NOUNS[issue.expected] ?? issue.expected}`;
  }
  if (issue.code !== 'too_small' && issue.code !== 'too_big') return undefined;
  const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  return issue.origin === 'string' ? `must have ${bound} characters` : `must be ${bound}`;
}

type NameOf = (path: PropertyKey[]) => string;

function problemsIn(parsed: z.ZodSafeParseResult<unknown>, nameOf: NameOf): FieldProblem[] {
  if (parsed.error) return fieldProblems(parsed.error, nameOf);
  return pathsWithNul(parsed.data).map((path) => ({
    field: short(nameOf(path)),
    message: 'must hold no NUL',
  }));
}

/** Postgres takes no U+0000 in a text: what no schema has refused until here would end as a failed query. */
function pathsWithNul(value: unknown, path: PropertyKey[] = []): PropertyKey[][] {
  if (typeof value === 'string') return value.includes('\0') ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name.includes('\0') ? [[...path, name]] : pathsWithNul(inner, [...path, name]),
  );
}

function fieldProblems(error: z.ZodError, nameOf: NameOf): FieldProblem[] {
  return plainIssues(error.issues).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          field: short(nameOf([...issue.path, key])),
          message: 'is not a known field',
        }))
      : [{ field: short(nameOf(issue.path)), message: issue.message }],
  );
}

/** RFC 6901. */
function jsonPointer(path: PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function short(field: string): string {
  return field.length <= MAX_FIELD_LENGTH ? field : `${field.slice(0, MAX_FIELD_LENGTH)}…`;
}

function sentenceFor(problems: readonly FieldProblem[]): string {
  const [first] = problems;
  if (problems.length > 1) return `${problems.length} fields are not usable; "errors" names each.`;
  return first?.field ? `${first.field} ${first.message}.` : `The request body ${first?.message}.`;
}
