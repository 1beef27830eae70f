-- AlterTable
ALTER TABLE "deployments" ADD COLUMN     "registry_tag" TEXT;
