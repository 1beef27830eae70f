import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';
import { RESERVED_NAMES } from '../routing/hosts.ts';

/** Shapes that several operations share. */

/** Ten characters of lower-case base32, the first a letter. */
export const id = z.string().regex(/^[a-z][a-z2-7]{9}$/);
const idLike = (example: string) => z.object({ id: id.meta({ param: { example } }) });
export const appIdParams = idLike('k3v5ahq2xd');
export const deploymentIdParams = idLike('q6wlnf4j3e');
export const deliveryIdParams = idLike('d4v7tbq5mz');
export const projectIdParams = idLike('b7mzq4rt2c');

/** A name that becomes part of host names; `isName` says whether a text is one. */
export function hostLabel(isName: (text: string) => boolean, longest: number, description: string) {
  return z
    .string()
    .max(longest)
    .refine((text) => !RESERVED_NAMES.has(text), 'is reserved; choose another name')
    .refine(
      (text) => RESERVED_NAMES.has(text) || isName(text),
      'must be a DNS label: a lower-case letter, then letters, digits and dashes, no dash at the end',
    )
    .meta({ description, pattern: '^[a-z]([a-z0-9-]*[a-z0-9])?$' });
}

/** RFC 3339, UTC. */
export const time = z.iso.datetime();

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
    request_id: z.string(),
  })
  .meta({
    id: 'Problem',
    description: 'What went wrong (RFC 9457). `code` is stable; `errors` names the fields.',
    examples: [
      {
        type: 'urn:berth:problem:invalid_input',
        title: 'The request has invalid fields',
        status: 400,
        detail: '/port must be at most 65535.',
        code: 'invalid_input',
        errors: [{ field: '/port', message: 'must be at most 65535' }],
        request_id: '0b3c1c2e-6a0e-4f4e-9a55-0f6a8f8d6f10',
      },
    ],
  });

const MAX_PAGE = 200;

/** `limit` and `cursor` of every list. */
export const pageQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(MAX_PAGE))
    .optional()
    .meta({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: 50, description: 'Items per page.' }),
  cursor: z.string().max(200).optional().meta({ description: '`next_cursor` of the page before.' }),
});

export const DEFAULT_PAGE = 50;

/** A query parameter of one or more of these words, with commas between: `?status=pending,building`. */
export function someOf<const T extends string>(words: readonly T[], description: string) {
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(words, `must be of ${words.join(', ')}`)))
    .optional()
    .meta({
      type: 'array',
      items: { type: 'string', enum: [...words] },
      minItems: 1,
      description,
      param: { style: 'form', explode: false },
    });
}

/** One page of a list; `next_cursor` is null on the last. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}

/** Opaque to clients, so that what it holds may change. */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** @throws AppError invalid_input unless it is a cursor of so many parts, each of its form */
export function decodeCursor(cursor: string, forms: readonly RegExp[]): string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const checked = z.array(z.string()).length(forms.length).parse(parts);
    if (checked.every((part, index) => forms[index]?.test(part))) return checked;
  } catch {
    // Falls through to the one answer below.
  }
  throw new AppError('invalid_input', 'The cursor is not one of ours; begin without it.', {
    fields: [{ field: 'cursor', message: 'is not a cursor of this list' }],
  });
}
