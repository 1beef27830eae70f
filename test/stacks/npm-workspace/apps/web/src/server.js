import { words } from '@stack-npm/words';
import Fastify from 'fastify';

const fastify = Fastify();
fastify.get('/', () => words);
await fastify.listen({ port: Number(process.env.PORT), host: '0.0.0.0' });
