export const words = 'A pnpm workspace answers\n';
