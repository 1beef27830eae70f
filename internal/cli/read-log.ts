import type { ApiClient } from './api-client.ts';
import type { LogLine, Page } from './api-views.ts';
import { EventParser } from './event-parser.ts';
import { explainSilence } from './explain-answer.ts';
import { entryOfEvent, entryOfLine, type LogEntry } from './log-entry.ts';
import type { Patience } from './patience.ts';

const PAGE_LINES = 2000;

export interface LogFilter {
  /** With commas between, as the API takes it. */
  readonly level?: string | undefined;
  /** Part of the text. */
  readonly q?: string | undefined;
}

/** What is in the log now, in order. `path`: `/deployments/{id}/logs`. */
export async function* readLog(
  client: ApiClient,
  path: string,
  filter: LogFilter = {},
): AsyncGenerator<LogEntry> {
  let after: string | undefined;
  do {
    const page: Page<LogLine> = await client.get(path, { ...filter, limit: PAGE_LINES, after });
    yield* page.items.map(entryOfLine);
    after = page.next_cursor ?? undefined;
  } while (after !== undefined);
}

/**
 * The log from its beginning and on as it grows, until its deployment ends. A cut connection is taken up again behind
 * the last entry that was whole, so none is lost or doubled. @throws when the API stays away for longer than `patience`
 */
export async function* followLog(
  client: ApiClient,
  path: string,
  options: { filter?: LogFilter; patience: Patience },
): AsyncGenerator<LogEntry> {
  const { filter = {}, patience } = options;
  let lastEventId: string | null = null;
  for (;;) {
    let failure: unknown = explainSilence(
      client.url,
      new Error('the stream ends before the deployment does'),
    );
    try {
      const chunks = await client.openStream(`${path}/stream`, { query: { ...filter }, lastEventId });
      if (chunks === null) return;
      const parser = new EventParser();
      let isGreeting = true;
      for await (const chunk of chunks) {
        // A server that greets and hangs up, again and again, does not work.
        if (!isGreeting) patience.reset();
        isGreeting = false;
        for (const event of parser.push(chunk)) {
          patience.reset();
          if (event.event === 'end') return;
          lastEventId = event.id ?? lastEventId;
          const entry = entryOfEvent(event);
          if (entry) yield entry;
        }
      }
    } catch (error) {
      failure = error;
    }
    await patience.pauseAfter(failure);
  }
}
