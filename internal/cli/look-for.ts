import type { ApiClient } from './api-client.ts';
import { CliError } from './cli-error.ts';

const ID = /^[a-z][a-z2-7]{9}$/;

/** The thing of this id below that path; null when there is none, and for a text that is no id. */
export async function lookFor<T>(client: ApiClient, path: string, id: string): Promise<T | null> {
  if (!ID.test(id)) return null;
  try {
    return await client.get<T>(`${path}/${id}`);
  } catch (error) {
    if (error instanceof CliError && error.code === 'not_found') return null;
    throw error;
  }
}
