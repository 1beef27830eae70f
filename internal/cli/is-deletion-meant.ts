import { askToConfirm, canAsk } from './ask.ts';
import { usageError } from './cli-error.ts';
import type { Context } from './context.ts';

/** Asks the person. @throws CliError where there is nobody to ask */
export async function isDeletionMeant({ terminal, questioner }: Context, question: string): Promise<boolean> {
  if (!canAsk(questioner)) throw usageError('There is nobody to ask here; add --yes to delete it.');
  const isMeant = await askToConfirm(questioner, question);
  if (!isMeant) terminal.message('Nothing is deleted.');
  return isMeant;
}
