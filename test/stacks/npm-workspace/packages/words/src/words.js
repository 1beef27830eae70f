export const words = 'A npm workspace answers\n';
