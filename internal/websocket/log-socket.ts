import type { WebSocket } from 'ws';
import type { PrismaClient } from '../db/database.ts';
import { AppError } from '../errors/app-error.ts';
import type { Logger } from '../logger/logger.ts';
import type { LogHub } from '../logs/log-hub.ts';
import { type StreamEnd, streamLines } from '../logs/log-stream.ts';
import { runtimeStreamId } from '../logs/runtime-stream.ts';
import type { Caller } from '../openapi/operation.ts';
import { readClientMessage, type Topic } from './client-message.ts';
import { CLOSE } from './close-code.ts';
import { Connection } from './connection.ts';
import { errorMessage } from './server-message.ts';
import type { SocketLimits } from './socket-limits.ts';
import { Subscription } from './subscription.ts';

export interface LogSocketNeeds {
  readonly prisma: PrismaClient;
  readonly hub: LogHub;
  readonly logger: Logger;
  // The rules of deployments and apps, handed in. Both: @throws AppError not_found for what this caller may not see
  readonly findDeployment: (caller: Caller, deploymentId: string) => Promise<{ isFinished: boolean }>;
  readonly findApp: (caller: Caller, appId: string) => Promise<unknown>;
  /** Counts a stream of this user until the returned function is called. @throws AppError rate_limited */
  readonly holdStream: (caller: Caller) => () => void;
}

/** Whose socket it is, asked anew each time. @throws AppError when the token or session has ended */
type Ask = () => Promise<Caller>;

interface LogOf {
  readonly streamId: string;
  readonly find: (caller: Caller) => Promise<{ isFinished: boolean }>;
}

/** What a client of one WebSocket asks for, and gets: the same events as the server-sent streams, of several logs. */
export class LogSocket {
  readonly #needs: LogSocketNeeds;
  readonly #limits: SocketLimits;
  readonly #whose: Ask;
  readonly #connection: Connection;
  readonly #subscriptions = new Map<string, Subscription>();

  constructor(socket: WebSocket, whose: Ask, needs: LogSocketNeeds & { readonly limits: SocketLimits }) {
    this.#needs = needs;
    this.#limits = needs.limits;
    this.#whose = whose;
    this.#connection = new Connection(socket, needs.limits, (text) => this.#take(text));
    const recheck = setInterval(() => void this.#endUnlessAllowed(), needs.limits.recheckMs);
    const onStopping = () => this.#connection.close(CLOSE.stopping);
    needs.hub.closing.addEventListener('abort', onStopping);
    this.#connection.closed.addEventListener('abort', () => {
      clearInterval(recheck);
      needs.hub.closing.removeEventListener('abort', onStopping);
      for (const subscription of this.#subscriptions.values()) subscription.cancel();
    });
    if (needs.hub.closing.aborted) onStopping();
  }

  async #take(text: string): Promise<void> {
    let topic: Topic | undefined;
    try {
      const message = readClientMessage(text);
      if (message.type === 'ping') return this.#connection.tell({ type: 'pong' });
      ({ topic } = message);
      if (message.type === 'subscribe') await this.#subscribe(message);
      else this.#unsubscribe(message.topic);
    } catch (error) {
      this.#refuse(error, topic);
    }
  }

  async #subscribe({ topic, after }: { topic: Topic; after: bigint }): Promise<void> {
    const log = this.#logOf(topic);
    if (this.#subscriptions.has(log.streamId)) {
      throw new AppError('invalid_input', 'This socket has that subscription already; unsubscribe first.');
    }
    if (this.#subscriptions.size >= this.#limits.subscriptions) {
      const { subscriptions } = this.#limits;
      throw new AppError('rate_limited', `One socket may have ${subscriptions} subscriptions at a time.`);
    }
    const caller = await this.#whose();
    const { isFinished } = await log.find(caller);
    if (this.#connection.closed.aborted) return;
    const release = this.#needs.holdStream(caller);
    const subscription = new Subscription(topic, this.#connection, (why) => this.#ended(topic, why));
    this.#subscriptions.set(log.streamId, subscription);
    this.#connection.tell({ type: 'subscribed', ...topic, after: Number(after) });

    const check = async () => log.find(await this.#whose());
    const request = { streamId: log.streamId, after, matches: () => true, isFinished, check };
    // Not awaited: the next message of the client is heard meanwhile. It throws nothing.
    void streamLines(subscription, request, { ...this.#needs, limits: this.#limits }).finally(release);
  }

  #unsubscribe(topic: Topic): void {
    const { streamId } = this.#logOf(topic);
    this.#subscriptions.get(streamId)?.cancel();
    this.#subscriptions.delete(streamId);
    this.#connection.tell({ type: 'unsubscribed', ...topic });
  }

  #ended(topic: Topic, why: StreamEnd): void {
    this.#subscriptions.delete(this.#logOf(topic).streamId);
    if (why === 'complete') return;
    if (why instanceof AppError) {
      this.#refuse(why, topic);
      if (this.#subscriptions.size === 0) this.#connection.close(CLOSE.notFound);
    } else {
      this.#connection.close(why === 'stopping' ? CLOSE.stopping : CLOSE.broken);
    }
  }

  /** Tells what went wrong with one message or subscription; without a right to be here at all, that is the end. */
  #refuse(error: unknown, topic: Topic | undefined): void {
    if (!(error instanceof AppError)) {
      this.#needs.logger.error({ err: error }, 'message of a WebSocket failed');
      this.#connection.close(CLOSE.broken);
    } else if (error.code === 'unauthorized') {
      this.#connection.close(CLOSE.unauthorized);
    } else {
      this.#connection.tell(errorMessage(error, topic));
    }
  }

  /** T42: also a socket that is subscribed to nothing ends with its token. */
  async #endUnlessAllowed(): Promise<void> {
    try {
      await this.#whose();
    } catch (error) {
      // A database that is away says nothing about rights.
      if (error instanceof AppError && error.code === 'unauthorized') {
        this.#connection.close(CLOSE.unauthorized);
      }
    }
  }

  #logOf(topic: Topic): LogOf {
    const { findDeployment, findApp } = this.#needs;
    if ('deployment_id' in topic) {
      const id = topic.deployment_id;
      return { streamId: id, find: (caller) => findDeployment(caller, id) };
    }
    const id = topic.app_id;
    return {
      streamId: runtimeStreamId(id),
      async find(caller) {
        await findApp(caller, id);
        return { isFinished: false };
      },
    };
  }
}
