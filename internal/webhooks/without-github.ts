import type { RecordInstallation, WebhookCreator } from './ports.ts';

const notPossible = 'Berth has no access to this repository at GitHub.';

/** For an installation that is not connected with GitHub: webhooks are set up by hand. */
export const noCreator: WebhookCreator = {
  createHook: async () => ({ notPossible }),
  removeHook: async () => ({ notPossible }),
};

/** For one without a GitHub App. */
export const noInstallations: RecordInstallation = async () => undefined;
