-- AlterEnum
-- This migration adds more than one value to an enum.
-- With PostgreSQL versions 11 and earlier, this is not possible
-- in a single migration. This can be worked around by creating
-- multiple migrations, each migration adding only one value to
-- the enum.


ALTER TYPE "deployment_trigger" ADD VALUE 'restart';
ALTER TYPE "deployment_trigger" ADD VALUE 'start';
ALTER TYPE "deployment_trigger" ADD VALUE 'settings';

-- AlterTable
ALTER TABLE "deployments" ADD COLUMN     "framework" TEXT,
ADD COLUMN     "generated_dockerfile" TEXT,
ADD COLUMN     "image_bytes" BIGINT,
ADD COLUMN     "image_from_id" TEXT;

-- AlterTable
ALTER TABLE "projects" ADD COLUMN     "deployment_limit" INTEGER;

-- AlterTable
ALTER TABLE "services" ADD COLUMN     "auto_deploy_held_since" TIMESTAMPTZ(3),
ADD COLUMN     "build_memory_mb" INTEGER,
ADD COLUMN     "build_timeout_seconds" INTEGER,
ADD COLUMN     "detected_framework" TEXT,
ADD COLUMN     "docker_target" TEXT,
ADD COLUMN     "framework" TEXT NOT NULL DEFAULT 'auto',
ADD COLUMN     "lfs" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "output_directory" TEXT,
ADD COLUMN     "pids_limit" INTEGER NOT NULL DEFAULT 512,
ADD COLUMN     "release_command" TEXT,
ADD COLUMN     "restart_unresponsive" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "submodules" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "quarantined_containers" (
    "container_id" TEXT NOT NULL,
    "container_name" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "deployment_id" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "quarantined_containers_pkey" PRIMARY KEY ("container_id")
);

-- CreateTable
CREATE TABLE "release_health" (
    "deployment_id" TEXT NOT NULL,
    "restarts" INTEGER NOT NULL DEFAULT 0,
    "window_start" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "not_before" TIMESTAMPTZ(3),
    "last_cause" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "release_health_pkey" PRIMARY KEY ("deployment_id")
);

-- CreateTable
CREATE TABLE "clean_ups" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "dry_run" BOOLEAN NOT NULL DEFAULT false,
    "kind" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "bytes" BIGINT NOT NULL DEFAULT 0,
    "detail" JSONB NOT NULL,

    CONSTRAINT "clean_ups_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "build_plans" (
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "repo_url" TEXT NOT NULL,
    "branch" TEXT,
    "root_directory" TEXT NOT NULL DEFAULT '.',
    "framework" TEXT NOT NULL DEFAULT 'auto',
    "status" TEXT NOT NULL DEFAULT 'pending',
    "result" JSONB,
    "failure_code" TEXT,
    "failure_reason" TEXT,
    "lease_owner" TEXT,
    "lease_expires_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "build_plans_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "clean_ups_at_idx" ON "clean_ups"("at");

-- CreateIndex
CREATE INDEX "build_plans_status_created_at_idx" ON "build_plans"("status", "created_at");

-- CreateIndex
CREATE INDEX "build_plans_user_id_created_at_idx" ON "build_plans"("user_id", "created_at");

-- AddForeignKey
ALTER TABLE "release_health" ADD CONSTRAINT "release_health_deployment_id_fkey" FOREIGN KEY ("deployment_id") REFERENCES "deployments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
