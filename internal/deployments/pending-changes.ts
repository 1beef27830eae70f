import { createHmac, randomBytes } from 'node:crypto';
import type { App, Db, Host } from '../db/database.ts';
import type { EnvVariable } from '../envvars/env-var.ts';
import { readEnvironments, readVersions } from '../envvars/env-var-store.ts';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { changedSettings, openSnapshot, type ReleaseConfig, releaseConfigOf } from './config-snapshot.ts';
import { RecentMap } from './recent-map.ts';

type ListedApp = App & { readonly hosts: readonly Pick<Host, 'host'>[] };

/** A release's settings, of its environment a digest. */
type ComparedConfig = Omit<ReleaseConfig, 'environment'> & { readonly environment: string };

const REMEMBERED = 2_000;

/**
 * Which settings of an app its live release does not have yet. Lists ask it for hundreds of apps, so what was opened
 * once is remembered: a release never changes, and an environment only with its app's row. Remembered is no value, but a
 * digest under a key that ends with this process.
 */
export class PendingChanges {
  readonly #box: SealedBox;
  readonly #digestKey = randomBytes(32);
  /** By deployment. */
  readonly #releases = new RecentMap<string, ComparedConfig>(REMEMBERED);
  /** By app. */
  readonly #environments = new RecentMap<string, { version: string; digest: string }>(REMEMBERED);

  constructor(box: SealedBox) {
    this.#box = box;
  }

  /** Names of settings, as in the API, by app; one without a live release is missing. */
  async of(db: Db, apps: readonly ListedApp[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const compared = apps.flatMap((app) =>
      app.liveDeploymentId === null ? [] : [{ app, liveId: app.liveDeploymentId }],
    );
    if (compared.length === 0) return new Map();
    // One after the other: inside a transaction there is one connection for all of them.
    const releases = await this.#readReleases(
      db,
      compared.map(({ liveId }) => liveId),
    );
    const environments = await this.#readEnvironments(
      db,
      compared.map(({ app }) => app.id),
    );
    return new Map(
      compared.flatMap(({ app, liveId }) => {
        const live = releases.get(liveId);
        const environment = environments.get(app.id);
        if (live === undefined || environment === undefined) return [];
        const hosts = app.hosts.map(({ host }) => host);
        const wanted = { ...releaseConfigOf(app, hosts, []), environment };
        return [[app.id, changedSettings(wanted, live)] as const];
      }),
    );
  }

  async #readReleases(db: Db, ids: readonly string[]): Promise<Map<string, ComparedConfig>> {
    const found = new Map(ids.flatMap((id) => entry(id, this.#releases.get(id))));
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length === 0) return found;
    const rows = await db.deployment.findMany({
      where: { id: { in: missing } },
      select: { id: true, configSnapshot: true },
    });
    for (const { id, configSnapshot } of rows) {
      const config = openSnapshot(this.#box, id, configSnapshot);
      const compared = { ...config, environment: this.#digest(config.environment) };
      this.#releases.set(id, compared);
      found.set(id, compared);
    }
    return found;
  }

  async #readEnvironments(db: Db, appIds: readonly string[]): Promise<Map<string, string>> {
    const versions = await readVersions(db, appIds);
    const known = (id: string) => {
      const remembered = this.#environments.get(id);
      return remembered?.version === versions.get(id) ? remembered?.digest : undefined;
    };
    const found = new Map(appIds.flatMap((id) => entry(id, known(id))));
    const missing = appIds.filter((id) => !found.has(id));
    if (missing.length === 0) return found;
    const environments = await readEnvironments(db, this.#box, missing);
    for (const id of missing) {
      const digest = this.#digest(environments.get(id) ?? []);
      // Changed between the two questions, it is remembered under a version that no longer is.
      this.#environments.set(id, { version: versions.get(id) ?? '', digest });
      found.set(id, digest);
    }
    return found;
  }

  /** Of the variables in their order, which is by key. */
  #digest(variables: readonly EnvVariable[]): string {
    const text = JSON.stringify(variables.map(({ key, value, scope }) => [key, value, scope]));
    return createHmac('sha256', this.#digestKey).update(text).digest('base64');
  }
}

function entry<K, V>(key: K, value: V | undefined): [K, V][] {
  return value === undefined ? [] : [[key, value]];
}
