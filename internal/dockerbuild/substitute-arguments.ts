const PLATFORM_ARGUMENT = /^(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)$/;

/**
 * Puts the defaults of ARG into the name after FROM, as Docker does (`$a`, `${a}`, `${a:-b}`, `${a:+b}`); null when the
 * text uses more than that. The platform's own arguments, which only the builder knows, stay as they are written.
 */
export function substitute(text: string, values: ReadonlyMap<string, string>): string | null {
  if (text.includes('\\$')) return null;
  const variable = /\$(?:(\w+)|\{(\w+)(?::([-+])([^{}$]*))?\})/g;
  const result = text.replace(variable, (written, bare, braced, operator, word) => {
    const name = String(bare ?? braced);
    if (PLATFORM_ARGUMENT.test(name)) return written.replaceAll('$', '\0');
    const value = values.get(name) ?? '';
    if (operator === '-') return value === '' ? word : value;
    if (operator === '+') return value === '' ? '' : word;
    return value;
  });
  return result.includes('$') ? null : result.replaceAll('\0', '$');
}
