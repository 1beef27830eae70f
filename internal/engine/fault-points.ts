/**
 * The boundaries between the stages of a deployment, in order: after each, what was done is recorded, and a worker that
 * is killed there loses nothing. A test kills one at each (FAULT_AT).
 */
export const FAULT_POINTS = [
  'claimed',
  'cloning',
  'building',
  'image-made',
  'built',
  'releasing',
  'releasing-started',
  'starting',
  'reserved',
  'started',
  'gating',
  'switching',
  'routed',
  'live',
  'draining',
  'retired',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];
