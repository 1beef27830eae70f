-- AlterTable
ALTER TABLE "services" ADD COLUMN     "mirror_bytes" BIGINT NOT NULL DEFAULT 0;
