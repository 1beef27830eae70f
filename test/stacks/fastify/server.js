import Fastify from 'fastify';

const fastify = Fastify({ logger: true });
fastify.get('/', async () => ({ says: 'Fastify answers' }));
await fastify.listen({ port: Number(process.env.PORT ?? 3000), host: '0.0.0.0' });
