const DEFAULT_PORT = 80;

/** The app's setting, else the image's single EXPOSE, else 80. */
export function choosePort(setting: number | null, exposedPorts: readonly number[]): number {
  if (setting !== null) return setting;
  const [only, ...others] = exposedPorts;
  return only !== undefined && others.length === 0 ? only : DEFAULT_PORT;
}
