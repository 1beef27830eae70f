-- CreateEnum
CREATE TYPE "token_scope" AS ENUM ('read', 'deploy', 'admin');

-- CreateEnum
CREATE TYPE "env_scope" AS ENUM ('runtime', 'build', 'both');

-- AlterTable
ALTER TABLE "deployments" ADD COLUMN     "github_deployment_id" BIGINT,
ADD COLUMN     "requested_by" TEXT;

-- AlterTable
ALTER TABLE "instance" ADD COLUMN     "key_canary" BYTEA;

-- AlterTable
ALTER TABLE "projects" ADD COLUMN     "deleting_since" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "services" ADD COLUMN     "auto_deploy" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "deploy_key_private" BYTEA,
ADD COLUMN     "deploy_key_public" TEXT,
ADD COLUMN     "github_hook_id" BIGINT,
ADD COLUMN     "watch_paths" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "webhook_secret" BYTEA;

-- AlterTable
ALTER TABLE "tokens" ADD COLUMN     "scope" "token_scope" NOT NULL DEFAULT 'admin';

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "github_id" BIGINT,
ADD COLUMN     "github_login" TEXT,
ADD COLUMN     "github_scopes" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "github_token" BYTEA,
ADD COLUMN     "last_sign_in_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "sessions" (
    "sid" TEXT NOT NULL,
    "sess" JSON NOT NULL,
    "expire" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("sid")
);

-- CreateTable
CREATE TABLE "rate_limits" (
    "key" TEXT NOT NULL,
    "points" INTEGER NOT NULL DEFAULT 0,
    "expire" BIGINT,

    CONSTRAINT "rate_limits_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "env_vars" (
    "id" TEXT NOT NULL,
    "app_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" BYTEA NOT NULL,
    "scope" "env_scope" NOT NULL DEFAULT 'runtime',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "env_vars_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_deliveries" (
    "id" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "delivery_id" TEXT NOT NULL,
    "replay_of" TEXT,
    "event" TEXT NOT NULL,
    "action" TEXT,
    "repository" TEXT,
    "ref" TEXT,
    "commit_sha" TEXT,
    "sender" TEXT,
    "payload" BYTEA NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_outcomes" (
    "id" TEXT NOT NULL,
    "delivery_id" TEXT NOT NULL,
    "app_id" TEXT,
    "outcome" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "deployment_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_outcomes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "github_installations" (
    "id" BIGINT NOT NULL,
    "account_id" BIGINT NOT NULL,
    "account_login" TEXT NOT NULL,
    "account_type" TEXT NOT NULL,
    "repository_selection" TEXT NOT NULL,
    "suspended_at" TIMESTAMPTZ(3),
    "user_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "github_installations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "github_installation_repositories" (
    "installation_id" BIGINT NOT NULL,
    "repository_id" BIGINT NOT NULL,
    "full_name" TEXT NOT NULL,
    "is_private" BOOLEAN NOT NULL,

    CONSTRAINT "github_installation_repositories_pkey" PRIMARY KEY ("installation_id","repository_id")
);

-- CreateTable
CREATE TABLE "github_reports" (
    "id" BIGSERIAL NOT NULL,
    "deployment_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "not_before" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "done_at" TIMESTAMPTZ(3),
    "last_error" TEXT,

    CONSTRAINT "github_reports_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "sessions_expire_idx" ON "sessions"("expire");

-- CreateIndex
CREATE UNIQUE INDEX "env_vars_app_id_key_key" ON "env_vars"("app_id", "key");

-- CreateIndex
CREATE INDEX "webhook_deliveries_received_at_idx" ON "webhook_deliveries"("received_at");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_deliveries_target_delivery_id_key" ON "webhook_deliveries"("target", "delivery_id");

-- CreateIndex
CREATE INDEX "webhook_outcomes_app_id_created_at_idx" ON "webhook_outcomes"("app_id", "created_at" DESC);

-- CreateIndex
CREATE INDEX "webhook_outcomes_delivery_id_idx" ON "webhook_outcomes"("delivery_id");

-- CreateIndex
CREATE INDEX "webhook_outcomes_deployment_id_idx" ON "webhook_outcomes"("deployment_id");

-- CreateIndex
CREATE INDEX "github_installations_user_id_idx" ON "github_installations"("user_id");

-- CreateIndex
CREATE INDEX "github_installation_repositories_full_name_idx" ON "github_installation_repositories"("full_name");

-- CreateIndex
CREATE INDEX "github_reports_deployment_id_idx" ON "github_reports"("deployment_id");

-- CreateIndex
CREATE INDEX "github_reports_not_before_idx" ON "github_reports"("not_before");

-- CreateIndex
CREATE INDEX "audit_events_user_id_id_idx" ON "audit_events"("user_id", "id");

-- CreateIndex
CREATE INDEX "audit_events_object_id_id_idx" ON "audit_events"("object_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "users_github_id_key" ON "users"("github_id");

-- AddForeignKey
ALTER TABLE "env_vars" ADD CONSTRAINT "env_vars_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "services"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_outcomes" ADD CONSTRAINT "webhook_outcomes_delivery_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "webhook_deliveries"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_outcomes" ADD CONSTRAINT "webhook_outcomes_app_id_fkey" FOREIGN KEY ("app_id") REFERENCES "services"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_outcomes" ADD CONSTRAINT "webhook_outcomes_deployment_id_fkey" FOREIGN KEY ("deployment_id") REFERENCES "deployments"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "github_installations" ADD CONSTRAINT "github_installations_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "github_installation_repositories" ADD CONSTRAINT "github_installation_repositories_installation_id_fkey" FOREIGN KEY ("installation_id") REFERENCES "github_installations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "github_reports" ADD CONSTRAINT "github_reports_deployment_id_fkey" FOREIGN KEY ("deployment_id") REFERENCES "deployments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
