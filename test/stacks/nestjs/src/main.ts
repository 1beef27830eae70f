import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

@Controller()
class HomeController {
  @Get()
  home(): string {
    return 'NestJS answers';
  }
}

@Module({ controllers: [HomeController] })
class AppModule {}

async function start() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}

void start();
