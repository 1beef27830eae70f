import { byKey, type EnvVariable, type GivenVariable, NEW_SCOPE } from './env-var.ts';

/** What a change makes of an environment. */
export interface EnvironmentPlan {
  /** All of it, afterwards. */
  readonly whole: readonly EnvVariable[];
  readonly added: readonly EnvVariable[];
  readonly changed: readonly EnvVariable[];
  readonly removed: readonly EnvVariable[];
}

/** The given variables beside the present ones, or with `replace` instead of them. Of a key given twice the last counts. */
export function planEnvironment(
  present: readonly EnvVariable[],
  given: readonly GivenVariable[],
  { replace }: { replace: boolean },
): EnvironmentPlan {
  const before = new Map(present.map((variable) => [variable.key, variable]));
  const wanted = new Map(
    given.map(({ key, value, scope }) => [
      key,
      { key, value, scope: scope ?? before.get(key)?.scope ?? NEW_SCOPE },
    ]),
  );
  const whole = replace ? wanted : new Map([...before, ...wanted]);
  const written = [...wanted.values()].filter((variable) => !isSame(variable, before.get(variable.key)));
  return {
    whole: [...whole.values()].toSorted(byKey),
    added: written.filter(({ key }) => !before.has(key)).toSorted(byKey),
    changed: written.filter(({ key }) => before.has(key)).toSorted(byKey),
    removed: present.filter(({ key }) => !whole.has(key)).toSorted(byKey),
  };
}

/** Keys whose variable is not the same in both, by key. */
export function differingKeys(one: readonly EnvVariable[], other: readonly EnvVariable[]): string[] {
  const { added, changed, removed } = planEnvironment(one, other, { replace: true });
  return [...added, ...changed, ...removed].toSorted(byKey).map(({ key }) => key);
}

function isSame(one: EnvVariable, other: EnvVariable | undefined): boolean {
  return one.value === other?.value && one.scope === other.scope;
}
