-- AlterTable
ALTER TABLE "deployments" ADD COLUMN     "build_key" TEXT,
ADD COLUMN     "image_reused_from_id" TEXT,
ADD COLUMN     "no_cache" BOOLEAN NOT NULL DEFAULT false;

-- CreateIndex
CREATE INDEX "deployments_app_id_build_key_idx" ON "deployments"("app_id", "build_key");
