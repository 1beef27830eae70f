export const words = 'A yarn workspace answers\n';
