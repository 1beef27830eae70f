import type { core } from 'zod';

type Issue = core.$ZodIssue;

/**
 * The issues a person can act on: where several forms are possible, those of the form that was meant; of a key that may
 * not be, what is wrong with it. What zod wraps stands at its own path again.
 */
export function plainIssues(issues: readonly Issue[]): Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'invalid_key') return atPath(issue.path, issue.issues);
    if (issue.code !== 'invalid_union') return [issue];
    const meant = issue.errors.find((form) => !form.some(isAnotherType));
    return meant ? atPath(issue.path, meant) : [{ ...issue, message: oneOf(issue.errors) }];
  });
}

function atPath(path: readonly PropertyKey[], inner: readonly Issue[]): Issue[] {
  return plainIssues(inner).map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}

function isAnotherType({ code, path }: Issue): boolean {
  return code === 'invalid_type' && path.length === 0;
}

/** `must be a list or an object` */
function oneOf(forms: readonly (readonly Issue[])[]): string {
  const messages = new Set(forms.flatMap((form) => form.filter(isAnotherType).map(({ message }) => message)));
  return [...messages].join(' or ').replaceAll(' or must be ', ' or ');
}
