import type { Logger } from '../logger/logger.ts';

/** Does each part of a pass though another one has failed, which the next pass tries again. Never rejects. */
export async function eachPart(
  logger: Logger,
  parts: Readonly<Record<string, () => Promise<void>>>,
): Promise<void> {
  for (const [name, part] of Object.entries(parts)) {
    try {
      await part();
    } catch (error) {
      logger.warn({ err: error, part: name }, 'part of a pass failed, trying again at the next one');
    }
  }
}
