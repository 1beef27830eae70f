import { CliError, type FieldMessage } from './cli-error.ts';
import { EXIT } from './exit-code.ts';

export interface FailedAnswer {
  /** Of the installation. */
  readonly apiUrl: string;
  readonly status: number;
  readonly body: string;
  readonly location: string | null;
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldMessage[];
}

/** An answer that is no 2xx, as an error with its sentence: the API's own (problem+json) where it is one of ours. */
export function explainAnswer(answer: FailedAnswer): CliError {
  const { apiUrl, status } = answer;
  const body = readObject(answer.body);
  const problem = readProblem(body);
  if (problem === null) return body?.['database'] === 'down' ? withoutDatabase(apiUrl) : notBerth(answer);
  if (status === 401) {
    const message = `${apiUrl} wants a token that it knows; sign in with "berth login".`;
    return new CliError(EXIT.unreachable, message, { code: problem.code });
  }
  const exitCode = status >= 500 ? EXIT.unreachable : EXIT.refused;
  return new CliError(exitCode, problem.detail, { code: problem.code, fields: problem.errors ?? [] });
}

/** No answer at all, and why. */
export function explainSilence(apiUrl: string, error: unknown): CliError {
  return new CliError(EXIT.unreachable, `The API at ${apiUrl} cannot be reached: ${reasonOf(error)}.`, {
    code: 'unreachable',
    cause: error,
  });
}

/** May the same request work a little later? */
export function isPassing(error: unknown): boolean {
  return error instanceof CliError && error.exitCode === EXIT.unreachable && error.code !== 'unauthorized';
}

function notBerth({ apiUrl, status, location }: FailedAnswer): CliError {
  const isRedirect = status >= 300 && status < 400 && location !== null;
  const message = isRedirect
    ? `${apiUrl} sends its visitors on to ${location}; use that address in "berth login".`
    : `${apiUrl} answered ${status}, and not as Berth does; check the address.`;
  // A proxy before an API that restarts answers in its own words.
  return new CliError(EXIT.unreachable, message, { code: 'not_berth' });
}

/** What `/health` answers then is its own report and no problem. */
function withoutDatabase(apiUrl: string): CliError {
  const message = `The API at ${apiUrl} answers, but cannot reach its database; its log says why.`;
  return new CliError(EXIT.unreachable, message, { code: 'database_unavailable' });
}

function readObject(body: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' ? (parsed as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

function readProblem(body: Partial<Problem> | null): Problem | null {
  const isOurs = typeof body?.code === 'string' && typeof body.detail === 'string';
  return isOurs ? (body as Problem) : null;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up',
  EHOSTUNREACH: 'there is no route to the host',
  ETIMEDOUT: 'the connection took too long',
  UND_ERR_CONNECT_TIMEOUT: 'the connection took too long',
};

/** Fetch says "fetch failed" and keeps the reason in the cause, which may hold one error per address. */
function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'it did not answer in time';
  if (!(error instanceof Error)) return String(error);
  const cause: unknown = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause;
  const code = codeOf(cause) ?? codeOf(error);
  if (code !== null) return REASONS[code] ?? code;
  return cause instanceof Error ? cause.message : error.message;
}

function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
