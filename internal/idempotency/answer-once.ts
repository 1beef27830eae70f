import type { Db, PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { Call, IdempotentRequest, PlainAnswer } from '../openapi/operation.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';

/** Runs the work in a transaction and gives its answer; of requests with one Idempotency-Key, once. */
export type AnswerOnce = <A extends PlainAnswer>(call: Call, work: (tx: Db) => Promise<A>) => Promise<A>;

/** Says that an answer is an earlier one. */
export const REPLAYED = 'Idempotency-Replayed';

/** An expired row is no hindrance, so a few at a time are enough to keep the table small. */
const SWEPT_AT_ONCE = 100;

interface Kept {
  readonly digest: string;
  readonly answer: PlainAnswer;
}

/**
 * The effect, and the answer that goes with the key, are one transaction: a process killed before its commit leaves
 * neither, after it both (F10). An error is not kept, for it had no effect: the same key may then be tried again.
 */
export function answersOnce({ prisma, box }: { prisma: PrismaClient; box: SealedBox }): AnswerOnce {
  return (call, work) =>
    prisma.$transaction(async (tx) => {
      const request = call.idempotent;
      if (!request) return work(tx);
      const row = rowOf(call.caller.userId, request);
      // Two at once take turns: the second finds what the first has left.
      await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext(${contextOf(row)}))`;
      const kept = await findKept(tx, row, box);
      if (kept) return replay(kept, request) as Awaited<ReturnType<typeof work>>;

      const answer = await work(tx);
      await keep(tx, row, box.seal(JSON.stringify({ digest: request.digest, answer }), contextOf(row)));
      return answer;
    });
}

interface Row {
  readonly userId: string;
  readonly target: string;
  readonly key: string;
}

function rowOf(userId: string, { target, key }: IdempotentRequest): Row {
  return { userId, target, key };
}

/** Also what the sealed answer is bound to. No part of it can hold a space but the target, which has exactly one. */
function contextOf({ userId, target, key }: Row): string {
  return sealContext('idempotency_keys.answer', userId, target, key);
}

async function findKept(tx: Db, row: Row, box: SealedBox): Promise<Kept | null> {
  const [found] = await tx.$queryRaw<{ answer: Uint8Array }[]>`
    SELECT answer FROM idempotency_keys
     WHERE user_id = ${row.userId} AND target = ${row.target} AND key = ${row.key}
       AND created_at > now() - interval '24 hours'`;
  return found ? (JSON.parse(box.open(found.answer, contextOf(row))) as Kept) : null;
}

function replay({ digest, answer }: Kept, request: IdempotentRequest): PlainAnswer {
  if (digest !== request.digest) {
    throw new AppError(
      'idempotency_key_reused',
      'This Idempotency-Key came with another body before; use a new key for a new request.',
    );
  }
  return { ...answer, headers: { ...answer.headers, [REPLAYED]: 'true' } };
}

async function keep(tx: Db, { userId, target, key }: Row, answer: Uint8Array): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO idempotency_keys (user_id, target, key, answer) VALUES (${userId}, ${target}, ${key}, ${answer})
        ON CONFLICT (user_id, target, key) DO UPDATE SET answer = excluded.answer, created_at = now()`;
  await tx.$executeRaw`
    DELETE FROM idempotency_keys WHERE (user_id, target, key) IN
      (SELECT user_id, target, key FROM idempotency_keys WHERE created_at <= now() - interval '24 hours'
        ORDER BY created_at LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED)`;
}
