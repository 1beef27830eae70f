import { type Listening, listen } from '../../../internal/http/listen.ts';
import { operationsOf } from '../../../internal/http/operations.ts';
import type { Operation } from '../../../internal/openapi/operation.ts';
import { storeGithubToken } from '../../../internal/users/github-token.ts';
import { type ApiUnderTest, startApi } from '../api-under-test.ts';
import { FakeGithub } from '../fake-github.ts';

/** The whole API on a port, with a GitHub to talk to: where every operation can be tried as every caller. */
export interface World {
  readonly api: ApiUnderTest;
  readonly github: FakeGithub;
  readonly port: number;
  /** The token of the owner of the installation. */
  readonly ownerToken: string;
  readonly operations: ReadonlyMap<string, Operation>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const github = await FakeGithub.start();
  github.world.app.setupUrl = 'http://berth.apps.test:8000/github/install/callback';
  const api = await startApi({ settings: { github: github.settings() } });
  const owner = await api.prisma.user.findFirstOrThrow({ where: { role: 'owner' } });
  const token = github.userToken(github.addUser('owner').login, null);
  await storeGithubToken(api.prisma, api.needs.box, { userId: owner.id, token, scopes: [] });
  const server: Listening = await listen(api.app, { port: 0, address: '127.0.0.1' });
  return {
    api,
    github,
    port: server.port,
    ownerToken: api.token,
    operations: new Map(operationsOf(api.needs).map((one) => [one.id, one])),
    async close() {
      await server.close(500);
      await api.close();
      await github.close();
    },
  };
}
